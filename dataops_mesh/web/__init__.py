"""What people look at: the mesh's pages, and the same facts as JSON. It changes nothing.

facts       what a page says, as frozen data; knows no HTML
draw        numbers -> points of a drawing
templates   facts -> HTML; what a file says is escaped, whoever wrote it
app         paths -> facts -> templates
"""
