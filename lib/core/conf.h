/* SPDX-License-Identifier: ISC */

/*
 * conf: the configuration file, aadssh.conf(5).  INI through inih, with its
 * traps closed: the file is read whole and judged, and a line over 190
 * bytes, a NUL, a BOM, a line that starts with a blank, an unknown key or
 * section, a repeated key or section is an error with its line.  One static
 * table of keywords (keyword.c) is what the parser, `aadssh check`, the lint
 * of conf/aadssh.conf and the man page are held to.
 */

#ifndef AAD_CONF_H
#define AAD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

#define CONF_MAX	 65536 /* bytes of a whole file */
#define CONF_LINE_MAX	 190 /* bytes; inih cuts at 199 and opens a new line */
#define CONF_LIST_MAX	 256 /* values of one list key */
#define CONF_LOGIN_MAX	 256 /* [login NAME] sections */
#define CONF_PROFILE_MAX 64 /* [profile NAME] sections */

struct conf_item {
	char *value;
	unsigned int line;
};

struct conf_list {
	struct conf_item *items;
	size_t n;
};

enum conf_bind {
	CONF_BIND_NONE = 0, /* a sign-in through ssh remembers no key */
	CONF_BIND_FIRST
};

enum conf_denial {
	CONF_DENIAL_NONE = 0, /* running sessions go on */
	CONF_DENIAL_TERMINATE
};

struct conf_login {
	char *name; /* name_login_ok() */
	unsigned int line;
	struct conf_list allow; /* as written; rules.h gives them meaning */
	char *options; /* comma separated authorized_keys options, or NULL */
	unsigned int options_line;
	struct conf_list hosts; /* used by the certificate authority only */
};

/* How certificates of some logins look; ca/signer/profile.h has the meaning. */
struct conf_profile {
	char *name; /* value_group_ok(), never "*" */
	unsigned int line;
	struct conf_list logins; /* key "for": login names, or "*" */
	int64_t ttl; /* seconds, default 8 h, or max_ttl when shorter */
	int64_t max_ttl; /* default the larger of ttl and 24 h */
	bool has_extensions; /* else permit-pty, permit-port-forwarding */
	struct conf_list extensions; /* "none" alone: no extension */
	char *force_command; /* printable ASCII, or NULL */
	struct conf_list source_address; /* text_cidr_ok() */
	struct conf_list key_types; /* as key_type_name(); empty: all */
};

/* A plain record, read-only after conf_load(); strings are never NULL
 * unless said. */
struct conf {
	/* [idp]; has_idp is false when the section is absent, and then every
	 * string of it is NULL */
	bool has_idp;
	char *tenant; /* GUID, lower case */
	char *client_id; /* GUID, lower case */
	char *cloud; /* "public", "usgov", "china"; NULL: authority */
	char *authority; /* https://host[:port], no slash at the end */
	char *issuer; /* AUTHORITY/TENANT/v2.0, what iss must be */
	char *ca_file; /* absolute path, or NULL: the system's */
	char *proxy; /* http://host:port, or NULL: none at all */
	char *scope; /* as sent, CLIENT_ID replaced */
	struct conf_list require_acrs; /* every one must be in claim acrs */
	/* [process] */
	char *user; /* default "aadssh" */
	unsigned int user_line; /* 0: not written */
	/* [state] */
	char *dir; /* default "/var/lib/aadssh" */
	char *run; /* default "/run/aadssh" */
	char *trust; /* default "/etc/ssh/aadssh" */
	/* [log], syslog(3) numbers */
	int log_level; /* default LOG_INFO */
	int log_facility; /* default LOG_AUTHPRIV */
	/* [token], seconds */
	int64_t keys_refresh; /* default 1 h, or keys_max_age when shorter */
	int64_t keys_max_age; /* default 24 h */
	int64_t sign_in_max_age; /* default 12 h */
	int64_t grace; /* default 0 */
	int64_t confirm; /* default 1 h */
	/* [map] */
	bool has_map;
	struct conf_list domain;
	struct conf_list require;
	struct conf_list never; /* beside the built-in ones */
	int64_t min_uid; /* default 1000 */
	/* [pam] */
	int pam_bind; /* enum conf_bind, default CONF_BIND_FIRST */
	struct conf_list pam_from; /* text_cidr_ok(); empty: everywhere */
	int64_t pam_timeout; /* seconds, default 4 m */
	int64_t per_host; /* sign-ins that may wait at once, default 64 */
	int64_t per_source; /* of one address, default 8 */
	/* [refresh] */
	int64_t check; /* seconds between two live checks, default 15 m */
	int64_t parallel; /* requests at once, default 16 */
	/* [session] */
	int on_denial; /* enum conf_denial, default CONF_DENIAL_NONE */
	/* [login NAME] */
	struct conf_login *logins;
	size_t nlogins;

	/* [host], for certificates at sshd */
	struct conf_list host_groups; /* value_group_ok(), never "*" */
	bool accept_all; /* a bare LOGIN counts; default no */

	/* [ca]; has_ca is false when the section is absent, and then every
	 * string of it is NULL.  With it dir, run and user have other
	 * defaults: /var/lib/aadssh-ca, /run/aadssh-ca, aadssh-ca */
	bool has_ca;
	char *ca_key_type; /* "ed25519" */
	char *ca_agent; /* the socket of backend = agent:PATH; NULL: file */
	char *publish_dir; /* default DIR/public */
	int64_t publish_before; /* seconds, default 24 h */
	int64_t publish_valid; /* of a manifest, default 7 d */
	int64_t rotate_every; /* default 90 d */
	/* of a host certificate, default 30 d, or host_max_ttl when shorter */
	int64_t host_ttl;
	int64_t host_max_ttl; /* default 90 d */
	int64_t certs_per_hour; /* of one identity, default 60 */
	int64_t per_peer; /* requests of one uid at once, default 8 */
	struct conf_list map_hosts; /* [map] hosts, as in conf_login */

	/* [profile NAME] */
	struct conf_profile *profiles;
	size_t nprofiles;
};

/* Where and why a file was refused. */
struct conf_error {
	unsigned int line; /* 0: the whole file */
	char text[200]; /* one sentence, clean for a terminal */
};

/*
 * Say what is wrong: the text is made like printf(3)'s and cleaned for a
 * terminal.  Returns AAD_EFORMAT.
 */
int conf_fail(struct conf_error *why, unsigned int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Read and check a file: O_NOFOLLOW, owner root or self, not writable by
 * group or others, at most CONF_MAX bytes.
 *
 * self: the running user (geteuid(2)), beside root.
 * *outp: NULL unless 0 is returned; then the caller frees it.
 *
 * Returns 0; AAD_ENOENT, AAD_EPERM, AAD_ETOOBIG or AAD_ESYS about the file,
 * AAD_EFORMAT about what is in it, each with *why filled; AAD_ENOMEM.
 */
int conf_load(const char *path, uid_t self, struct conf **outp,
    struct conf_error *why) AAD_MUST_CHECK;

/* The same from memory, len bytes with a NUL behind them. */
int conf_parse(const char *text, size_t len, struct conf **outp,
    struct conf_error *why) AAD_MUST_CHECK;

/* Release.  NULL is a no-op. */
void conf_free(struct conf *c);

/* One row of the keyword table, for check, docs and lint. */
struct conf_keyword {
	const char *section; /* "login" stands for [login NAME], as "profile" */
	const char *name;
	const char *type; /* "guid", "duration", "path", … as in the manual */
	bool list;
	const char *fallback; /* the default as written, NULL: none */
};

/* The i-th keyword, NULL behind the last. */
const struct conf_keyword *conf_keyword(size_t i);

/* The [login NAME] section of this login, or NULL.  Borrowed from c. */
const struct conf_login *conf_login_find(const struct conf *c,
    const char *login);

/*
 * The [profile NAME] that speaks for a login: the one that lists it, else the
 * one that lists "*", else NULL.  Borrowed from c.
 */
const struct conf_profile *conf_profile_of(const struct conf *c,
    const char *login);

#endif /* AAD_CONF_H */
