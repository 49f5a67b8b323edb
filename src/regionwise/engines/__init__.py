"""What fills a crop: networks, classical methods, and what is wrapped round them."""
