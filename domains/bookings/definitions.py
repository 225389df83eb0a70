from dataops_mesh import load_domain

defs = load_domain(__file__)
