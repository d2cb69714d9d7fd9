/* SPDX-License-Identifier: ISC */

/*
 * reason: the stable code that every yes and no carries.  The code is what
 * scripts and logs match; the sentence is for the person, and says what to
 * do next.  docs/reasons.md has one row for each (make lint compares).
 *
 * Class: YES; NO, a definite no; CANNOT, nothing can be decided now, which
 * opens nothing either.
 */

#ifndef AAD_REASON_H
#define AAD_REASON_H

enum reason_class {
	REASON_CANNOT = 0, /* zeroed memory decides nothing */
	REASON_NO = 1,
	REASON_YES = 2
};

/* X(constant, code, class, sentence) */
#define AAD_REASONS(X)                                                          \
	X(UNSET, "internal", CANNOT,                                            \
	    "An internal error. Please report it with the log line.")           \
	X(ALLOWED, "allowed", YES, "This key may log in.")                      \
	/* step 1: what sshd or the caller handed in */                         \
	X(BAD_LOGIN, "bad_login", NO,                                           \
	    "The login name is not one that this project accepts: letters, "    \
	    "digits, '_', '.', '-', at most 32, not starting with a digit, "    \
	    "'.' or '-'.")                                                      \
	X(KEY_MALFORMED, "key_malformed", NO,                                   \
	    "The presented key is not a well-formed public key of the type "    \
	    "it names.")                                                        \
	X(KEY_TYPE, "key_type", NO,                                             \
	    "This key type is not supported; use ed25519, ecdsa, rsa or an "    \
	    "sk- key.")                                                         \
	X(KEY_WEAK, "key_weak", NO,                                             \
	    "The key is too weak or unsound; make a new one with ssh-keygen "   \
	    "-t ed25519.")                                                      \
	X(KEY_CERTIFICATE, "key_certificate", NO,                               \
	    "A certificate was presented; certificates are not judged here.")   \
	/* step 2 and 6: denials */                                             \
	X(LOGIN_DENIED, "login_denied", NO,                                     \
	    "This login is denied; an administrator can lift it with aadssh "   \
	    "undeny --login.")                                                  \
	X(KEY_DENIED, "key_denied", NO,                                         \
	    "This key is denied; use another key, or an administrator can "     \
	    "lift it with aadssh undeny --key.")                                \
	X(IDENTITY_DENIED, "identity_denied", NO,                               \
	    "This Azure AD user is denied. Where Azure AD said so, a new "      \
	    "sign-in lifts it; where an administrator did, aadssh undeny "      \
	    "--oid.")                                                           \
	X(DENIALS_UNREADABLE, "denials_unreadable", CANNOT,                     \
	    "The denials cannot be read, so nobody is let in; check the state " \
	    "directory's owner and modes.")                                     \
	/* step 3: the record */                                                \
	X(NO_RECORD, "no_record", NO,                                           \
	    "Nobody has signed in with this key for this login; sign in when "  \
	    "ssh asks, or run aadssh login on this host.")                      \
	X(RECORD_UNREADABLE, "record_unreadable", CANNOT,                       \
	    "The sign-in record cannot be read; check the state directory's "   \
	    "owner and modes, and the disk.")                                   \
	X(RECORD_OWNER, "record_owner", NO,                                     \
	    "The sign-in record is not a regular file of the right owner and "  \
	    "mode; remove it and sign in again.")                               \
	X(RECORD_MALFORMED, "record_malformed", NO,                             \
	    "The sign-in record is damaged; sign in again.")                    \
	X(RECORD_VERSION, "record_version", NO,                                 \
	    "The sign-in record was written by a newer aadssh; upgrade, or "    \
	    "sign in again.")                                                   \
	X(RECORD_SIGNATURE, "record_signature", NO,                             \
	    "The sign-in record's signature does not verify; sign in again, "   \
	    "and find out who changed the file.")                               \
	X(RECORD_MISMATCH, "record_mismatch", NO,                               \
	    "The sign-in record belongs to another login or key; sign in "      \
	    "again, and find out who moved the file.")                          \
	X(FOREIGN_HOST, "foreign_host", NO,                                     \
	    "The sign-in record was made on another host; sign in again on "    \
	    "this one.")                                                        \
	X(NO_MACHINE_ID, "no_machine_id", CANNOT,                               \
	    "/etc/machine-id is missing or malformed; run "                     \
	    "systemd-machine-id-setup.")                                        \
	X(RECORD_KEY_UNREADABLE, "record_key_unreadable", CANNOT,               \
	    "The record key (keys/record.pub) cannot be read; check the state " \
	    "directory's owner and modes.")                                     \
	X(RECORD_ENDED, "record_ended", NO,                                     \
	    "The sign-in with this key has ended; sign in again.")              \
	X(UNCONFIRMED, "unconfirmed", NO,                                       \
	    "The sign-in was not confirmed by a login with the key in time; "   \
	    "sign in again.")                                                   \
	X(SIGN_IN_AGAIN, "sign_in_again", NO,                                   \
	    "Azure AD wants a new sign-in for this key; sign in again.")        \
	X(IDENTITY_GONE, "identity_gone", NO,                                   \
	    "Azure AD says that this account is disabled, gone or no longer "   \
	    "assigned.")                                                        \
	X(KEY_SHARED, "key_shared", NO,                                         \
	    "Two Azure AD users signed in with this key, so it opens nothing "  \
	    "here; each needs a key of their own. An administrator can end "    \
	    "that with aadssh forget LOGIN --key.")                             \
	/* step 4: the token */                                                 \
	X(TOKEN_SIZE, "token_size", NO,                                         \
	    "The token's size is outside the bounds; sign in again.")           \
	X(TOKEN_FORMAT, "token_format", NO,                                     \
	    "The token is not a well-formed compact JWS; sign in again.")       \
	X(TOKEN_HEADER, "token_header", NO,                                     \
	    "The token's header has a member that is not accepted.")            \
	X(TOKEN_ALG, "token_alg", NO, "The token is not signed with RS256.")    \
	X(TOKEN_KID, "token_kid", NO,                                           \
	    "The token's header names no usable key.")                          \
	X(UNKNOWN_KID, "unknown_kid", NO,                                       \
	    "The token is signed with a key that is not among the tenant "      \
	    "keys; run aadssh refresh --keys-only, then sign in again.")        \
	X(TENANT_KEY_UNSOUND, "tenant_key_unsound", NO,                         \
	    "The tenant key that the token names is not usable; run aadssh "    \
	    "refresh --keys-only.")                                             \
	X(TOKEN_SIGNATURE, "token_signature", NO,                               \
	    "The token's signature does not verify.")                           \
	X(TOKEN_CLAIMS, "token_claims", NO,                                     \
	    "The token lacks a claim or has one of the wrong type.")            \
	X(TOKEN_ISSUER, "token_issuer", NO,                                     \
	    "The token was issued by somebody else than the configured "        \
	    "tenant.")                                                          \
	X(TOKEN_AUDIENCE, "token_audience", NO,                                 \
	    "The token was issued for another application than client_id.")     \
	X(TOKEN_GRAPH, "token_graph", NO,                                       \
	    "The token was issued for Microsoft Graph, which proves nothing "   \
	    "here; set scope to the application's own scope.")                  \
	X(TOKEN_TENANT, "token_tenant", NO,                                     \
	    "The token belongs to another tenant.")                             \
	X(TOKEN_VERSION, "token_version", NO,                                   \
	    "The token is not a version 2.0 token.")                            \
	X(TOKEN_NOT_YET, "token_not_yet", NO,                                   \
	    "The token is not valid yet; check this host's clock.")             \
	X(TOKEN_EXPIRED, "token_expired", NO,                                   \
	    "The token has expired; sign in again.")                            \
	X(NO_TENANT_KEYS, "no_tenant_keys", CANNOT,                             \
	    "There are no tenant keys yet; run aadssh refresh --keys-only.")    \
	X(TENANT_KEYS_UNREADABLE, "tenant_keys_unreadable", CANNOT,             \
	    "The tenant keys cannot be read; run aadssh refresh --keys-only.")  \
	X(TENANT_KEYS_FOREIGN, "tenant_keys_foreign", NO,                       \
	    "The tenant keys on disk are of another tenant; run aadssh "        \
	    "refresh --keys-only.")                                             \
	/* step 5: freshness */                                                 \
	X(TENANT_KEYS_STALE, "tenant_keys_stale", NO,                           \
	    "The tenant keys are older than keys_max_age; run aadssh refresh "  \
	    "--keys-only.")                                                     \
	X(SIGN_IN_STALE, "sign_in_stale", NO,                                   \
	    "The sign-in is older than sign_in_max_age; sign in again.")        \
	X(CLOCK_BACK, "clock_back", NO,                                         \
	    "A file was written in this clock's future; set the clock right, "  \
	    "then sign in again or run aadssh refresh --keys-only.")            \
	/* step 6: pins */                                                      \
	X(PINNED_OTHER, "pinned_other", NO,                                     \
	    "This login belongs to another Azure AD user; an administrator "    \
	    "can end that with aadssh forget LOGIN --pin.")                     \
	X(NO_PIN, "no_pin", NO,                                                 \
	    "This mapped login has no pin; sign in again.")                     \
	X(PIN_UNREADABLE, "pin_unreadable", CANNOT,                             \
	    "The login's pin cannot be read; check the state directory.")       \
	/* step 7: policy */                                                    \
	X(NOT_ALLOWED, "not_allowed", NO,                                       \
	    "No rule lets this Azure AD user be this login.")                   \
	X(NOT_THIS_LOGIN, "not_this_login", NO,                                 \
	    "This Azure AD user's name maps to another login.")                 \
	X(NO_RULES, "no_rules", NO,                                             \
	    "No rule in the configuration gives this login to anybody.")        \
	X(DOMAIN_NOT_LISTED, "domain_not_listed", NO,                           \
	    "This Azure AD user's domain is not listed in [map] domain.")       \
	X(LOGIN_NEVER, "login_never", NO,                                       \
	    "This login is never given by name; it needs a [login] section "    \
	    "of its own.")                                                      \
	X(REQUIRE_NOT_MET, "require_not_met", NO,                               \
	    "This Azure AD user has none of the roles or groups that [map] "    \
	    "require names.")                                                   \
	X(NO_UPN, "no_upn", NO,                                                 \
	    "The token has no user name that could be mapped to a login.")      \
	X(GUEST, "guest", NO,                                                   \
	    "Guests are not mapped to logins; name them in a [login] "          \
	    "section.")                                                         \
	X(GROUPS_UNKNOWN, "groups_unknown", NO,                                 \
	    "The user is in too many groups for the token to list them; use "   \
	    "app roles, or groups assigned to the application.")                \
	X(UID_TOO_LOW, "uid_too_low", NO,                                       \
	    "The account's uid is below min_uid; it needs a [login] section "   \
	    "of its own.")                                                      \
	X(ACRS_MISSING, "acrs_missing", NO,                                     \
	    "The sign-in did not meet the authentication context that "         \
	    "require_acrs names; sign in again.")                               \
	/* the machine */                                                       \
	X(CONFIG, "config", CANNOT,                                             \
	    "The configuration cannot be used; run aadssh check.")              \
	X(STATE_UNREADABLE, "state_unreadable", CANNOT,                         \
	    "The state directory cannot be opened; check [state] dir, its "     \
	    "owner and modes.")                                                 \
	X(STATE_OWNER, "state_owner", CANNOT,                                   \
	    "The state directory belongs to another user than the one this "    \
	    "runs as; run it as root or as that user, or, if root made the "    \
	    "directory, give it to [process] user.")                            \
	X(SESSIONS_UNREADABLE, "sessions_unreadable", CANNOT,                   \
	    "The files of the open sessions cannot be read; run this as root, " \
	    "and check the owner and modes of [state] run and of sessions "     \
	    "below it.")                                                        \
	X(HOOK_ROOT, "hook_root", CANNOT,                                       \
	    "aadssh-authkeys runs as root on a state directory of another "     \
	    "user; set AuthorizedKeysCommandUser aadssh-hook.")                 \
	X(DISK, "disk", CANNOT,                                                 \
	    "The disk refused a write; what was there before is intact.")       \
	X(NO_MEMORY, "no_memory", CANNOT, "Out of memory.")                     \
	X(SANDBOX, "sandbox", CANNOT,                                           \
	    "The process could not fence itself in; see the log.")              \
	/* signing in */                                                        \
	X(SIGNIN_DECLINED, "signin_declined", NO,                               \
	    "The sign-in was declined in the browser; try again if that was a " \
	    "mistake.")                                                         \
	X(SIGNIN_EXPIRED, "signin_expired", NO,                                 \
	    "The code expired before anybody signed in; try again. A "          \
	    "Conditional Access policy that blocks the sign-in in the browser " \
	    "looks the same from here.")                                        \
	X(SIGNIN_USER, "signin_user", NO,                                       \
	    "Azure AD wants something from the person first.")                  \
	X(SIGNIN_ADMIN, "signin_admin", NO,                                     \
	    "Azure AD refused; an administrator of the tenant has to act.")     \
	X(SIGNIN_POLICY, "signin_policy", NO,                                   \
	    "A policy of the tenant blocks this sign-in.")                      \
	X(SIGNIN_DISABLED, "signin_disabled", NO,                               \
	    "The account is disabled or gone.")                                 \
	X(SIGNIN_CONFIG, "signin_config", CANNOT,                               \
	    "The application registration and this configuration do not fit "   \
	    "together.")                                                        \
	X(PUBLIC_CLIENT_OFF, "public_client_off", CANNOT,                       \
	    "The application registration does not allow public client "        \
	    "flows; an administrator sets Authentication, Allow public "        \
	    "client flows to Yes.")                                             \
	X(WRONG_TENANT, "wrong_tenant", CANNOT,                                 \
	    "The tenant in the configuration is not known; check [idp] "        \
	    "tenant, and cloud.")                                               \
	X(THROTTLED, "throttled", CANNOT,                                       \
	    "Azure AD asks to slow down; try again in a few minutes.")          \
	X(UNREACHABLE, "unreachable", CANNOT,                                   \
	    "Azure AD could not be reached; check the network, the proxy and "  \
	    "ca_file.")                                                         \
	X(PROVIDER, "provider", CANNOT,                                         \
	    "Azure AD answered something unexpected.")                          \
	X(DISCOVERY, "discovery", CANNOT,                                       \
	    "The provider's discovery document does not fit the "               \
	    "configuration.")                                                   \
	/* signing in through ssh, and renewal */                               \
	X(NO_ACCOUNT, "no_account", NO,                                         \
	    "There is no account of this name on this host.")                   \
	X(FROM_NOT_ALLOWED, "from_not_allowed", NO,                             \
	    "Sign-ins are not offered to the address that this login comes "    \
	    "from.")                                                            \
	X(TOO_MANY_WAITING, "too_many_waiting", NO,                             \
	    "Too many sign-ins wait or were started just now; try again in a "  \
	    "minute.")                                                          \
	X(RENEWAL_POLICY, "renewal_policy", NO,                                 \
	    "A policy or the configuration of the tenant forbids to renew the " \
	    "sign-in; it lasts as long as its token.")                          \
	X(TOO_MANY_GONE, "too_many_gone", CANNOT,                               \
	    "More than a fifth of the users turned out to be gone at once, so " \
	    "nobody was shut out; look at the tenant, then run aadssh refresh " \
	    "--force.")                                                         \
	X(REFRESH_TOKEN, "refresh_token_unreadable", CANNOT,                    \
	    "The sealed refresh token cannot be read or opened; sign in again " \
	    "when the token has ended.")                                        \
	X(REFRESH_RUNNING, "refresh_running", CANNOT,                           \
	    "Another aadssh refresh is at work.")                               \
	X(INTERRUPTED, "interrupted", CANNOT,                                   \
	    "Interrupted; nothing was stored.")                                 \
	/* certificates, at sshd and at their authority */                      \
	X(CERT_MALFORMED, "cert_malformed", NO,                                 \
	    "The certificate is not well-formed; ask for a new one with "       \
	    "aadssh-ca sign.")                                                  \
	X(CERT_TYPE, "cert_type", NO,                                           \
	    "This is a certificate of a host, not of a user.")                  \
	X(CERT_PLAIN_KEY, "cert_plain_key", NO,                                 \
	    "This is a plain key, not a certificate.")                          \
	X(CERT_PRINCIPAL, "cert_principal", NO,                                 \
	    "No principal of this certificate opens this login on this "        \
	    "host.")                                                            \
	X(CERT_PRINCIPAL_BAD, "cert_principal_bad", NO,                         \
	    "The certificate holds a principal that no certificate of "         \
	    "ours holds, so none of them counts.")                              \
	X(TOKEN_AGE, "token_age", NO,                                           \
	    "The token was issued more than 10 minutes ago; sign in "           \
	    "again.")                                                           \
	X(TOKEN_USED, "token_used", NO,                                         \
	    "This sign-in has already been used for another key; sign in "      \
	    "again for this one.")                                              \
	X(TOKEN_RESTORED, "token_restored", NO,                                 \
	    "The authority was restored from a backup after this sign-in, "     \
	    "or in the minute before it; wait a minute and sign in again.")     \
	X(NO_PRINCIPALS, "no_principals", NO,                                   \
	    "There is no login that this certificate could open; name one "     \
	    "with --login.")                                                    \
	X(LOGIN_NO_HOSTS, "login_no_hosts", NO,                                 \
	    "This login opens no hosts: the authority's configuration "         \
	    "lists none for it.")                                               \
	X(TWO_PROFILES, "two_profiles", NO,                                     \
	    "The logins asked for are of different profiles; ask for one "      \
	    "certificate each.")                                                \
	X(TOO_MANY_PRINCIPALS, "too_many_principals", NO,                       \
	    "More than 256 principals; ask for fewer logins.")                  \
	X(SUBJECT_KEY_TYPE, "subject_key_type", NO,                             \
	    "The profile does not sign keys of this type.")                     \
	X(TTL, "ttl", NO,                                                       \
	    "The lifetime asked for is not one that can be given.")             \
	X(SOURCE_ADDRESS, "source_address", NO,                                 \
	    "A source address asked for is malformed, or wider than the "       \
	    "profile allows.")                                                  \
	X(HOST_NAME, "host_name", NO,                                           \
	    "A host name asked for is not a fully qualified DNS name in "       \
	    "lower case.")                                                      \
	X(CERTS_PER_HOUR, "certs_per_hour", NO,                                 \
	    "This user has been given as many certificates as an hour "         \
	    "allows; wait.")                                                    \
	X(SIGNER_BUSY, "signer_busy", CANNOT,                                   \
	    "Too many requests of this caller are under way; try again in "     \
	    "a moment.")                                                        \
	X(IDENTITY_REVOKED, "identity_revoked", NO,                             \
	    "This Azure AD user is revoked here; an administrator can "         \
	    "lift it with aadssh-ca unrevoke --oid.")                           \
	X(KEY_REVOKED, "key_revoked", NO,                                       \
	    "This key is revoked for ever; make a new one with ssh-keygen "     \
	    "-t ed25519.")                                                      \
	X(LOGIN_PINNED, "login_pinned", NO,                                     \
	    "This login belongs to another Azure AD user; an "                  \
	    "administrator can end that with aadssh-ca unrevoke --pin.")        \
	X(REQUEST_MALFORMED, "request_malformed", NO,                           \
	    "The request does not follow its format.")                          \
	X(REQUEST_REFUSED, "request_refused", NO,                               \
	    "This cannot be asked for over the socket; run it as root on "      \
	    "the host of the authority.")                                       \
	X(NO_CA, "no_ca", CANNOT,                                               \
	    "There is no certificate authority here yet; run aadssh-ca "        \
	    "init.")                                                            \
	X(CA_EXISTS, "ca_exists", NO,                                           \
	    "There is a certificate authority here already; nothing was "       \
	    "changed.")                                                         \
	X(CA_KEY, "ca_key", CANNOT,                                             \
	    "The key of the authority cannot be used; see the second "          \
	    "line.")                                                            \
	X(CA_AGENT, "ca_agent", CANNOT,                                         \
	    "The ssh-agent that holds the authority's keys does not "           \
	    "answer.")                                                          \
	X(SIGNATURE_BAD, "signature_bad", CANNOT,                               \
	    "The signature that came from the key does not verify, so the "     \
	    "certificate was not released.")                                    \
	X(LEDGER, "ledger", CANNOT,                                             \
	    "The ledger cannot be read or written; see the second line.")       \
	X(LEDGER_BUSY, "ledger_busy", CANNOT,                                   \
	    "Somebody else holds the ledger; try again in a moment.")           \
	X(LEDGER_ALTERED, "ledger_altered", CANNOT,                             \
	    "The ledger was altered or cut: a row does not fit the one "        \
	    "before it, or a signed manifest.")                                 \
	X(LEDGER_VERSION, "ledger_version", CANNOT,                             \
	    "The ledger was written by a newer aadssh-ca; upgrade.")            \
	X(UNKNOWN_SERIAL, "unknown_serial", NO,                                 \
	    "The ledger has no certificate of this serial.")                    \
	X(UNKNOWN_USER, "unknown_user", NO,                                     \
	    "The ledger knows no Azure AD user of this name; use --oid.")       \
	X(AMBIGUOUS_USER, "ambiguous_user", NO,                                 \
	    "Several Azure AD users had this name; choose one with --oid.")     \
	X(NOT_REVOKED, "not_revoked", NO, "There is nothing to lift.")          \
	X(SIGNER_UNREACHABLE, "signer_unreachable", CANNOT,                     \
	    "The signer does not answer.")                                      \
	X(SIGNER_REPLY, "signer_reply", CANNOT,                                 \
	    "The signer's answer is not what was asked for, so it was not "     \
	    "stored.")                                                          \
	X(CERT_FILE, "cert_file", NO,                                           \
	    "There is a file of this name that is not replaced; it was left "   \
	    "alone.")                                                           \
	X(SIGN_IN_NEEDED, "sign_in_needed", NO,                                 \
	    "A sign-in is needed, and there is no terminal to ask on; run "     \
	    "aadssh-ca sign yourself.")                                         \
	X(NO_KEY_FILE, "no_key_file", NO,                                       \
	    "There is no key to sign; make one with ssh-keygen -t "             \
	    "ed25519, or name one with --key.")                                 \
	X(PUBLICATION, "publication", CANNOT,                                   \
	    "The publication directory cannot be written or read; see the "     \
	    "second line.")                                                     \
	X(KRL_REFUSED, "krl_refused", CANNOT,                                   \
	    "The new KRL is not one that ssh-keygen reads, so it was not "      \
	    "published.")                                                       \
	X(PUBLISHED_TOO_LATE, "published_too_late", CANNOT,                     \
	    "The new key was not published for publish_before yet, so it "      \
	    "does not sign.")                                                   \
	X(BACKUP, "backup", NO,                                                 \
	    "The backup does not open: it is damaged, or sealed for "           \
	    "another recovery key.")                                            \
	X(LIMITS, "limits", CANNOT,                                             \
	    "A resource limit of this process is below what it needs; "         \
	    "nothing was done.")

enum reason {
#define X(constant, code, class, sentence) AAD_R_##constant,
	AAD_REASONS(X)
#undef X
	AAD_R_COUNT
};

/* The stable code; "internal" for a number outside the enum. */
const char *reason_name(enum reason r);

/* The reason of a code, UNSET for what is none. */
enum reason reason_find(const char *name);

/* One clear sentence for the person. */
const char *reason_sentence(enum reason r);

enum reason_class reason_class(enum reason r);

/* "yes", "no" or "cannot_tell", as logs and JSON say it. */
const char *reason_verdict(enum reason r);

/* 0 for YES, 1 for NO, 3 for CANNOT: what every program exits with. */
int reason_exit(enum reason r);

#endif /* AAD_REASON_H */
