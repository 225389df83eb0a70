"""Looking after what is published: monitoring, incidents, alerts, repair, collection."""
