"""Every setting of the shop, read from the environment (or a `.env` file). Wiring only: no behaviour.

Names, meanings and defaults are listed in `.env.example`; a test keeps the two equal. A value of the wrong type or out
of range ends whatever was started (environment.py). What a live shop must not leave at its default is refused by
`manage.py check --deploy` (payments/checks/).
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from django.urls import reverse_lazy

from djkraph.environment import Environment
from djkraph.static_files import are_built

BASE_DIR = Path(__file__).resolve().parent.parent

environ.Env.read_env(BASE_DIR / ".env")
env = Environment(os.environ)

# --- Django ---------------------------------------------------------------------------------------------
DEMO_SECRET = "demo-only-not-for-a-live-shop"  # noqa: S105 — refused by check --deploy
SECRET_KEY: str = env.text("SECRET_KEY", DEMO_SECRET, secret=True)
DEBUG: bool = env.yes_no("DEBUG", False)
ALLOWED_HOSTS: list[str] = env.hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.origins("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS: list[str] = env.origins("CORS_ALLOWED_ORIGINS")
TRUSTED_PROXIES: int = env.whole("TRUSTED_PROXIES", 0, least=0, most=20)  # how many, counted from the right
SECURE_SSL_REDIRECT: bool = env.yes_no("SECURE_SSL_REDIRECT", False)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "djkraph",
    "orders",
    "payments",
]

# A page on which a developer tries the API, where its scripts are installed (requirements-dev.txt).
API_PAGE = DEBUG and find_spec("drf_spectacular_sidecar") is not None
if API_PAGE:
    INSTALLED_APPS += ["drf_spectacular_sidecar"]

# Who comes in at the desk: django-allauth, with the limits, words and pages of djkraph/staff/.
AUTHENTICATION_BACKENDS = ("allauth.account.auth_backends.AuthenticationBackend",)
DESK_LOGIN_FAILURES: int = env.whole("DESK_LOGIN_FAILURES", 5, least=1, most=1_000)
DESK_LOCK_MINUTES: int = env.whole("DESK_LOCK_MINUTES", 15, least=1, most=100_000)
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds: how long the owner's link is good
ACCOUNT_ADAPTER = "djkraph.staff.accounts.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_RATE_LIMITS = {
    # of one name from one address, and of one address; counted in the database, and each for so many minutes
    "login_failed": f"{4 * DESK_LOGIN_FAILURES}/{DESK_LOCK_MINUTES}m/ip,{DESK_LOGIN_FAILURES}/{DESK_LOCK_MINUTES}m/key",
    "login": "60/m/ip",
}
MFA_ADAPTER = "djkraph.staff.factors.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "login_webauthn": "djkraph.staff.forms.LogInByPasskey",
    "authenticate_webauthn": "djkraph.staff.forms.PasskeyAsSecond",
    "reauthenticate_webauthn": "djkraph.staff.forms.PasskeyAgain",
    "add_webauthn": "djkraph.staff.forms.NewPasskey",
}
MFA_TOTP_ISSUER = "DJ Kraph desk"
MFA_TOTP_TOLERANCE = 1  # half minutes: a phone's clock is rarely right
# Whoever may do one of these moves money, and must have a second factor in a live shop.
MOVES_MONEY = "payments.desk.DEEDS"

# Whatever starts with one of these is for programs; everything else is a page.
JSON_PATHS = ("/stkpush", "/api/", "/health")
MIDDLEWARE = [
    "djkraph.health.Probes",
    # for every answer: https, host, sizes, who may read it, who may frame it
    "django.middleware.security.SecurityMiddleware",
    "djkraph.middleware.OtherSites",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # for pages only
    "djkraph.middleware.StaticFiles",
    "djkraph.middleware.Compression",
    "djkraph.middleware.ContentSecurityPolicy",
    "djkraph.middleware.Sessions",
    "djkraph.middleware.Csrf",
    "djkraph.middleware.Authentication",
    "djkraph.middleware.Uploads",
    "djkraph.middleware.Messages",
    "djkraph.middleware.ReadableAddresses",
    "djkraph.middleware.WasAway",
    "djkraph.middleware.SecondFactor",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "djkraph.urls"
WSGI_APPLICATION = "djkraph.wsgi.application"
APPEND_SLASH = False  # the contract's paths answer with and without a slash; see urls.py
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "djkraph.contact.contact",
            ]
        },
    }
]

SILENCED_SYSTEM_CHECKS = [
    # what HSTS says of sub-domains and of browsers' lists is the owner's to decide: neither is taken back soon
    "security.W004",
    "security.W005",
    "security.W021",
    "models.W040",  # SQLite leaves out what PostgreSQL's index carries besides: slower, not wrong
    # their middleware is there under a name of ours (djkraph/middleware.py)
    "security.W003",
]

LANGUAGE_CODE = "en"
TIME_ZONE = "Africa/Nairobi"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "djkraph.formats"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# --- Data -----------------------------------------------------------------------------------------------
DATABASE_URL = env.database_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'var' / 'djkraph.sqlite3'}")
NEVER_BY_ITSELF = 1_000_000_000  # times
DATABASE_PREPARES = env.yes_no("DATABASE_PREPARES", True)


def database(url: str) -> dict[str, Any]:
    """One database by address: SQLite made safe for several processes, PostgreSQL with a small pool."""
    config: dict[str, Any] = environ.Env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        config["OPTIONS"] = {
            "timeout": 20,  # seconds to wait for another writer
            "transaction_mode": "IMMEDIATE",  # a transaction that will write says so at its start
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    else:
        config["ENGINE"] = "djkraph.postgresql"
        # ten connections a process: a push that waits for Daraja holds none of them
        config["OPTIONS"] = {
            **config.get("OPTIONS", {}),
            "server_side_binding": True,
            # only what says so itself (djkraph/sql.py): a plan made once for all values passes partial indexes by
            "prepare_threshold": NEVER_BY_ITSELF if DATABASE_PREPARES else None,
            "pool": {"min_size": 1, "max_size": 10, "timeout": 4, "reconnect_timeout": 3},
        }
    return config


DATABASES = {"default": database(DATABASE_URL)}


def with_jobs(apps: list[str], databases: dict[str, dict[str, Any]]) -> list[str]:
    """procrastinate keeps its jobs in PostgreSQL; on SQLite the worker does in its round what they would do."""
    on_postgresql = databases["default"]["ENGINE"] == "djkraph.postgresql"
    return ["procrastinate.contrib.django", *apps] if on_postgresql else apps


INSTALLED_APPS = with_jobs(INSTALLED_APPS, DATABASES)
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # its jobs are named in payments/alerts/jobs.py

CACHES = {
    # what log-ins must not forget or count alone
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "djkraph_cacheentry",
        "KEY_FUNCTION": "djkraph.counting.cache_key",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    "shared": env.cache("CACHE_URL", "locmemcache://"),
    "memory": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "memory",
    },  # of one process
}
if "redis" in CACHES["shared"]["BACKEND"]:  # seconds: nobody waits longer for one that hangs
    CACHES["shared"]["OPTIONS"] = CACHES["shared"].get("OPTIONS", {}) | {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
    }
SPOOL_DIR: str = env.text("SPOOL_DIR", "") or str(BASE_DIR / "var" / "spool")
STATEMENTS_DIR: str = env.text("STATEMENTS_DIR", "") or str(BASE_DIR / "var" / "statements")
STATEMENT_FILES_DAYS: int = env.whole("STATEMENT_FILES_DAYS", 400, least=1, most=36_500)

# --- Static files and pages -----------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_FILES_ARE_BUILT = are_built(STATIC_ROOT, STATICFILES_DIRS)
SHOP_CONTACT_PHONE: str = env.text("SHOP_CONTACT_PHONE", "")
SHOP_CONTACT_EMAIL: str = env.text("SHOP_CONTACT_EMAIL", "")
MIXES_DIR: str = env.text("MIXES_DIR", "") or str(BASE_DIR / "var" / "mixes")
AUDIO_MAX_BYTES = 2**20 * env.whole("AUDIO_MAX_MB", 500, least=1, most=100_000)
DOWNLOAD_LINK_DAYS: int = env.whole("DOWNLOAD_LINK_DAYS", 21, least=1, most=90)
DOWNLOADS_BY_PROXY: str = env.text("DOWNLOADS_BY_PROXY", "")
STORAGES = {
    "mixes": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": MIXES_DIR,
            "base_url": "/admin/orders/mix/file/",
            "file_permissions_mode": 0o600,
        },
    },
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "djkraph.static_storage.StaticFiles"},
}
WHITENOISE_USE_FINDERS = not STATIC_FILES_ARE_BUILT  # the demo serves without collectstatic

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * env.whole(
    "DESK_IDLE_MINUTES", 30, least=1, most=100_000
)  # seconds since the last page
SESSION_SAVE_EVERY_REQUEST = True  # only pages have sessions, and only staff's are not empty
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # the cookie outlives the session: so it is known who was away
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SECURE_HSTS_SECONDS: int = env.whole(
    "HSTS_SECONDS", 31_536_000 if SECURE_SSL_REDIRECT else 0, least=0, most=63_072_000
)
SECURE_HSTS_INCLUDE_SUBDOMAINS: bool = env.yes_no("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD: bool = env.yes_no("HSTS_PRELOAD", False)  # browsers take months to forget it
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_NOTHING_ELSE = {
    "default-src": ["'none'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": _NOTHING_ELSE
    | {"script-src": ["'self'"], "style-src": ["'self'"], "img-src": ["'self'"]}
    | {"media-src": ["'self'"]},
}
CONTENT_SECURITY_POLICY_OF_DESK = _NOTHING_ELSE | {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
}

# --- The endpoints --------------------------------------------------------------------------------------
CORS_URLS_REGEX = r"^/(stkpush|api/orders|api/mixes)(/.*)?$"
CORS_ALLOW_HEADERS = ("accept", "content-type", "idempotency-key")
CORS_ALLOW_METHODS = ("GET", "POST", "OPTIONS")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_PARSER_CLASSES": ["djkraph.http.CappedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "djkraph.http.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "djkraph.http.answer_in_words",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DJ Kraph payments",
    "DESCRIPTION": "M-Pesa STK Push for the DJ Kraph mix shop: ask a phone to pay, poll, and Safaricom's callback.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    65_536  # bytes, as many as the door reads (djkraph/door); statements have their own form
)
UPLOAD_MAX_BYTES = 51 * 2**20  # a statement of 50 MB in its form; more is not even read

PUSH_RATE_PER_ADDRESS: int = env.whole("PUSH_RATE_PER_ADDRESS", 60, least=0, most=1_000_000)  # a minute
ORDER_RATE_PER_ADDRESS: int = env.whole("ORDER_RATE_PER_ADDRESS", 60, least=0, most=1_000_000)  # a minute
STATUS_RATE_PER_ADDRESS: int = env.whole("STATUS_RATE_PER_ADDRESS", 1200, least=0, most=1_000_000)  # a minute
WEB_THREADS: int = env.whole(
    "WEB_THREADS", 240, least=2, most=10_000
)  # of one process; the Procfile has the same default
# each push holds a thread while Safaricom takes its time: polls, callbacks and health keep the rest
PUSHES_IN_FLIGHT = env.whole("PUSHES_IN_FLIGHT", WEB_THREADS * 3 // 4, least=1, most=WEB_THREADS - 1)
PUSH_LIMIT_PER_PHONE: int = env.whole(
    "PUSH_LIMIT_PER_PHONE", 5, least=0, most=1_000
)  # prompts in ten minutes
UNPAID_PROMPTS_PER_PHONE_A_DAY: int = env.whole("UNPAID_PROMPTS_PER_PHONE_A_DAY", 12, least=0, most=100_000)
ORDER_LIFE_HOURS: int = env.whole("ORDER_LIFE_HOURS", 48, least=1, most=100_000)  # of an unpaid order
STRANGERS_KEPT_DAYS: int = env.whole("STRANGERS_KEPT_DAYS", 30, least=0, most=36_500)
SETTLED_ALONE_UP_TO_KES: int = env.whole("SETTLED_ALONE_UP_TO_KES", 5000, least=0, most=1_000_000_000)
REQUIRE_PRICED_ORDERS: bool = env.yes_no("REQUIRE_PRICED_ORDERS", False)

# --- M-Pesa ---------------------------------------------------------------------------------------------
MPESA_ENVIRONMENT: str = env.one_of(
    "MPESA_ENVIRONMENT", "simulator", words=("simulator", "sandbox", "production")
)
SECOND_FACTOR_REQUIRED = MPESA_ENVIRONMENT == "production"
MPESA_BASE_URL: str = env.address("MPESA_BASE_URL")
MPESA_CONSUMER_KEY: str = env.text("MPESA_CONSUMER_KEY", "simulator-consumer-key", secret=True)
MPESA_CONSUMER_SECRET: str = env.text("MPESA_CONSUMER_SECRET", "simulator-consumer-secret", secret=True)
# Safaricom's public sandbox passkey, printed in its documentation: a live shop has its own.
SANDBOX_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
MPESA_PASSKEY: str = env.text("MPESA_PASSKEY", SANDBOX_PASSKEY, secret=True)
MPESA_BUSINESS_SHORT_CODE: str = env.text("MPESA_BUSINESS_SHORT_CODE", "174379")
MPESA_TILL_NUMBER: str = env.text("MPESA_TILL_NUMBER", "")
MPESA_TRANSACTION_TYPE: str = env.one_of(
    "MPESA_TRANSACTION_TYPE",
    "CustomerPayBillOnline",
    words=("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
)
MPESA_CALLBACK_URL: str = env.address("MPESA_CALLBACK_URL", "http://127.0.0.1:8000/api/payments/callback")
# Who sends money back and looks transactions up for the shop. Without all three that is switched off.
_IS_SIMULATED = MPESA_ENVIRONMENT == "simulator"
MPESA_INITIATOR_NAME: str = env.text("MPESA_INITIATOR_NAME", "simulator-initiator" if _IS_SIMULATED else "")
MPESA_INITIATOR_PASSWORD: str = env.text(
    "MPESA_INITIATOR_PASSWORD", "Simulator#2026" if _IS_SIMULATED else "", secret=True
)
MPESA_CERTIFICATE: str = env.text(
    "MPESA_CERTIFICATE", "payments/simulator/static/certificate.pem" if _IS_SIMULATED else ""
)
RECEIPTS_SECRETS: list[str] = env.words("RECEIPTS_SECRETS", secret=True)
C2B_REFUSES_UNKNOWN_ACCOUNTS: bool = env.yes_no("C2B_REFUSES_UNKNOWN_ACCOUNTS", False)
MPESA_QUERY_BUDGET_PER_MINUTE = env.whole(
    "MPESA_QUERY_BUDGET_PER_MINUTE", 60 if MPESA_ENVIRONMENT == "simulator" else 5, least=1, most=100_000
)
# The addresses most often published for Safaricom's callbacks. Lists of them disagree: a signal, not a proof.
CALLBACK_ADDRESSES: list[str] = env.ip_addresses(
    "CALLBACK_ADDRESSES",
    [
        "196.201.212.69", "196.201.212.74", "196.201.212.127", "196.201.212.129", "196.201.212.136",
        "196.201.212.138", "196.201.213.44", "196.201.213.114", "196.201.214.200", "196.201.214.206",
        "196.201.214.207", "196.201.214.208",
    ],
)  # fmt: skip
CALLBACK_ADDRESSES_ENFORCED: bool = env.yes_no("CALLBACK_ADDRESSES_ENFORCED", False)
LEDGER_KEY: list[str] = env.words(
    "LEDGER_KEY", [DEMO_SECRET], secret=True
)  # the first signs, the others still verify
LEDGER_KEYS_RETIRED: list[str] = env.words(
    "LEDGER_KEYS_RETIRED", secret=True
)  # key@time since when it signs no more

# --- Telling people -------------------------------------------------------------------------------------
ALERT_EMAILS: list[str] = env.mail_addresses("ALERT_EMAILS")
ALERT_WEBHOOK_URL: str = env.address("ALERT_WEBHOOK_URL")
ALERT_WEBHOOK_SECRET: str = env.text("ALERT_WEBHOOK_SECRET", secret=True)
DESK_URL: str = env.address("DESK_URL")
EMAIL: dict[str, Any] = env.mail("EMAIL_URL", "consolemail://")
EMAIL_BACKEND: str = EMAIL["EMAIL_BACKEND"]
EMAIL_HOST: str = EMAIL["EMAIL_HOST"] or "localhost"
EMAIL_PORT: int = EMAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER: str = EMAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD: str = EMAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS: bool = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL: str = env.text("EMAIL_FROM", "desk@localhost")

# --- Desk and logs --------------------------------------------------------------------------------------


def _desk(title: str, icon: str, model: str) -> dict[str, Any]:
    """A list of the desk in the sidebar, for those who may see it; looked up when the sidebar is drawn."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


UNFOLD = {
    "SITE_TITLE": "DJ Kraph desk",
    "SITE_HEADER": "DJ Kraph desk",
    "SITE_SUBHEADER": "Payments and orders",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/favicon.svg"}],
    "STYLES": ["/static/css/desk.css"],
    "SHOW_HISTORY": False,
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
            {"title": "Second factor", "link": reverse_lazy("mfa_index")},
            {"title": "Where you are logged in", "link": reverse_lazy("usersessions_list")},
        ]
    },
    "DASHBOARD_CALLBACK": "payments.desk.home.page.dashboard",
    "COLORS": {
        "base": {  # the shop's night, and greys to go with it by day
            "50": "#fafafa",
            "100": "#f4f4f4",
            "200": "#e5e5e5",
            "300": "#d4d4d4",
            "400": "#a3a3a3",
            "500": "#737373",
            "600": "#525252",
            "700": "#3a3a3a",
            "800": "#2a2a2a",
            "900": "#181818",
            "950": "#121212",
        },
        "primary": {
            "50": "#fffbeb",
            "100": "#fff5c2",
            "200": "#ffee85",
            "300": "#ffe347",
            "400": "#ffd700",
            "500": "#d6b400",
            "600": "#8a7300",
            "700": "#6b5900",
            "800": "#4d4000",
            "900": "#332b00",
            "950": "#1f1a00",
        },
    },
    "SIDEBAR": {
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Every day",
                "items": [
                    {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")},
                    _desk("Payments", "payments", "payments.mpesatransaction"),
                    _desk("Orders", "shopping_cart", "orders.order"),
                    _desk("Receipts", "receipt", "payments.receipt"),
                    _desk("Refunds", "undo", "payments.refund"),
                    _desk("Sent back by M-PESA", "currency_exchange", "payments.reversal"),
                    _desk("M-PESA statements", "receipt_long", "payments.statement"),
                    _desk("Decisions about money", "handshake", "payments.handsettlement"),
                    {
                        "title": "Report of a day",
                        "icon": "today",
                        "link": reverse_lazy("desk-day"),
                        "permission": "payments.desk.day.page.is_offered",
                    },
                    _desk("Mixes", "album", "orders.mix"),
                ],
            },
            {
                "title": "Behind it",
                "items": [
                    _desk("Callback inbox", "inbox", "payments.callbackdelivery"),
                    _desk("Payments told by hand", "contactless", "payments.lookup"),
                    _desk("Alerts", "campaign", "payments.alertmessage"),
                    _desk("The book", "menu_book", "payments.posting"),
                    _desk("Audit", "history", "payments.paymentevent"),
                    {
                        "title": "Ledger check",
                        "icon": "fact_check",
                        "link": reverse_lazy("desk-ledger-check"),
                        "permission": "payments.desk.staff.ledger_check.is_offered",
                    },
                    _desk("Staff", "group", "auth.user"),
                ],
            },
        ],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "djkraph.logs.ScrubbingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},  # two lines for each job, one a minute
        "django.request": {
            "level": "ERROR"
        },  # a 4xx is the caller's business, and its address may be personal
    },
}
