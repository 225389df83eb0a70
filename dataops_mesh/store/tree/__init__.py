"""What is published, as a tree of small files that never change: node, entry, chunk of partitions.

    tree/<domain>/<digest>.json      a node names the entries of a domain, an entry its chunks

A release names a node for each domain, so a commit writes what changed and nothing else. Every
blob says the number of the release that wrote it: none is ever the same as an older one, so no
commit refers to a blob that a collection may be about to delete.
"""
