"""What each page says, as frozen data: no HTML, and no value of the data."""
