"""The payment endpoints and buyers' pages over HTTP: translate in, one call, translate out. No rule about money."""
