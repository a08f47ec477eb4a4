"""Who may come in at the desk: the lock on wrong passwords, second factors, links for a new password, sessions.

django-allauth does it; here stand our limits and words, and which of its pages the desk has (urls.py). What each role
may do once inside is payments/desk/. Nothing of money, no buyer.
"""
