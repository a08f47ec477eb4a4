"""An order to Safaricom to send money back, as staff see it: from decided to gone. Orders none (manual/)."""
