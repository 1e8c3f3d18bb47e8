"""What laws of the wire family are made of: requests that are valid or not by the bundle, sent and judged one by one."""
