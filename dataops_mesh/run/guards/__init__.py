"""What keeps data where it belongs: private ports, classes, masks, undeclared personal data."""
