"""What the page of an upload is made of."""
