"""The callbacks as they came: their list, their page, their words. Believes none itself (callbacks/)."""
