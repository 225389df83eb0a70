"""A data product is a contract plus a transform; a missing check result is a refusal."""
