"""Objects over 5 GiB in a copy: copied in parts, at once, in as many calls as it takes."""
