"""What keeps data where it belongs: private ports, masks, personal data that nobody declared."""
