// SPDX-License-Identifier: ISC
// The shape of Microsoft Entra's documents: errors, discovery, JWKS, device
// and token answers. Pure functions.

import { randomUUID } from 'node:crypto';

// AADSTS number -> OAuth error, text, and where they differ from the default
// the HTTP status (400) and the suberror (none). The texts are our own.
const AADSTS = {
  16000: ['interaction_required', 'the account is not in this tenant'],
  50034: ['invalid_grant', 'the account does not exist in this tenant'],
  50053: ['invalid_grant', 'the account is locked'],
  50055: ['invalid_grant', 'the password is expired', 400,
    'user_password_expired'],
  50057: ['invalid_grant', 'the user account is disabled'],
  50059: ['invalid_request', 'no tenant-identifying information found'],
  50072: ['interaction_required', 'the user must enrol a second factor', 400,
    'basic_action'],
  50074: ['interaction_required', 'strong authentication is required', 400,
    'basic_action'],
  50076: ['interaction_required', 'a second factor is required', 400,
    'basic_action'],
  50078: ['invalid_grant', 'the second factor is too old', 400,
    'basic_action'],
  50097: ['invalid_grant', 'device authentication is required', 400,
    'message_only'],
  50105: ['invalid_grant', 'the user is not assigned to a role for the '
    + 'application'],
  50173: ['invalid_grant', 'the grant is older than the user\'s tokens-valid-'
    + 'from time', 400, 'bad_token'],
  50194: ['invalid_request', 'the application is not multi-tenant, use a '
    + 'tenant endpoint'],
  50196: ['invalid_grant', 'the client is in a request loop'],
  53000: ['invalid_grant', 'the device is not compliant', 400,
    'message_only'],
  53003: ['invalid_grant', 'access is blocked by Conditional Access', 400,
    'message_only'],
  54005: ['invalid_grant', 'the code was already redeemed'],
  65001: ['consent_required', 'the user or administrator has not consented',
    400, 'consent_required'],
  65004: ['authorization_declined', 'the user declined'],
  70000: ['invalid_grant', 'the grant is malformed or unknown', 400,
    'bad_token'],
  70003: ['unsupported_grant_type', 'the grant type is not supported'],
  70011: ['invalid_scope', 'the scope is not valid'],
  70016: ['authorization_pending', 'the sign-in is not finished yet'],
  70018: ['bad_verification_code', 'the device code is not known'],
  70020: ['expired_token', 'the device code is expired'],
  70043: ['invalid_grant', 'the refresh token is older than the sign-in '
    + 'frequency allows', 400, 'token_expired'],
  90002: ['invalid_tenant', 'the tenant was not found'],
  90009: ['invalid_request', 'the application asks a token for itself; use '
    + 'the GUID form of its identifier'],
  90033: ['temporarily_unavailable', 'a transient error has occurred', 503],
  90055: ['temporarily_unavailable', 'there are too many requests', 429],
  500011: ['invalid_resource', 'the resource principal was not found'],
  700016: ['unauthorized_client', 'the application was not found in the '
    + 'tenant'],
  700025: ['invalid_client', 'the client is public, no secret may be sent',
    401],
  700082: ['invalid_grant', 'the refresh token is expired by inactivity',
    400, 'token_expired'],
  900144: ['invalid_request', 'the body lacks a required parameter'],
  7000112: ['unauthorized_client', 'the application is disabled'],
  7000218: ['invalid_client', 'the body must contain client_assertion or '
    + 'client_secret', 401],
  9002313: ['invalid_request', 'the request is malformed'],
};

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Entra's error as {status, headers, body}. CODE is an AADSTS number, or 0
 *  for an error that has none; REQUEST holds the request's headers; OVER may
 *  replace error, text, suberror, claims and status. */
export function entraError(authority, code, request = {}, over = {}) {
  const [error, text, status = 400, suberror] = AADSTS[code]
    ?? ['invalid_grant', 'refused'];
  const trace = randomUUID();
  const asked = request['client-request-id'];
  const correlation = GUID.test(asked ?? '') ? asked : randomUUID();
  const timestamp = new Date().toISOString().replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  const body = {
    error: over.error ?? error,
    error_description: `${code ? `AADSTS${code}: ` : ''}${over.text ?? text}. `
      + `Trace ID: ${trace} Correlation ID: ${correlation} `
      + `Timestamp: ${timestamp}`,
    error_codes: code ? [code] : [],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: code ? `${authority}/error?code=${code}` : undefined,
    suberror: over.suberror ?? suberror,
    claims: over.claims,
  };
  const headers = {
    'Cache-Control': 'no-store, no-cache',
    'x-ms-request-id': trace,
    'x-ms-clitelem': `1,${code},0,,`,
  };

  if (request['return-client-request-id'] === 'true')
    headers['client-request-id'] = correlation;
  return { status: over.status ?? status, headers, body };
}

const GRANT_DETAILS = {
  'device code not found': 70018,
  'device code already consumed': 54005,
  'refresh token already used': 50173,
  'grant not found': 50173,
  'refresh token is expired': 700082,
};

const NATIVE = {
  authorization_pending: () => 70016,
  expired_token: () => 70020,
  access_denied: () => 65004,
  invalid_grant: (detail) => GRANT_DETAILS[detail] ?? 70000,
  invalid_client: (detail, secret) => (detail === 'client not found'
    ? 700016 : (secret ? 700025 : 7000218)),
  unsupported_grant_type: () => 70003,
  invalid_scope: () => 70011,
  invalid_target: () => 500011,
  invalid_request: (detail, secret, text) =>
    (/missing required/.test(text) ? 900144 : 9002313),
};

/** AADSTS number of an error of oidc-provider; 90033 when it is none that a
 *  client can cause. SECRET: the request carried a client secret. */
export function nativeCode(err, secret) {
  const rule = NATIVE[err.error];

  return err.aadsts
    ?? (rule ? rule(err.error_detail, secret, err.error_description) : 90033);
}

/** Discovery document; TENANT is the path's tenant, ALIAS tells that it is
 *  common or organizations, whose issuer is the literal template. */
export function discovery(authority, tenant, alias) {
  const base = `${authority}/${tenant}`;

  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post',
      'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token',
      'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${authority}/${alias ? '{tenantid}' : tenant}/v2.0`,
    request_uri_parameter_supported: false,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'tid', 'oid',
      'preferred_username', 'name', 'ver', 'roles', 'groups'],
    tenant_region_scope: alias ? null : 'EU',
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
    rbac_url: 'https://pas.windows.net',
  };
}

/** JWKS of the published keys, without alg, as Entra's. */
export function jwks(keys, authority, tenant, alias) {
  const issuer = `${authority}/${alias ? '{tenantid}' : tenant}/v2.0`;

  return {
    keys: keys.filter((k) => k.publish).map((k) => ({
      kty: 'RSA',
      use: 'sig',
      kid: k.kid,
      x5t: k.x5t,
      n: k.n,
      e: k.e,
      x5c: k.x5c,
      cloud_instance_name: 'microsoftonline.com',
      issuer,
    })),
  };
}

/** Entra's device answer from oidc-provider's. */
export function deviceAnswer(native, uri, interval) {
  return {
    user_code: native.user_code,
    device_code: native.device_code,
    verification_uri: uri,
    expires_in: native.expires_in,
    interval,
    message: `To sign in, use a web browser to open the page ${uri} and `
      + `enter the code ${native.user_code} to authenticate.`,
  };
}

/** Entra's token answer from oidc-provider's; CLIENT_INFO is {uid, utid} or
 *  undefined. */
export function tokenAnswer(native, clientInfo) {
  return {
    token_type: 'Bearer',
    scope: native.scope.split(' ').filter((s) => s !== 'offline_access')
      .join(' '),
    expires_in: native.expires_in,
    ext_expires_in: native.expires_in,
    access_token: native.access_token,
    refresh_token: native.refresh_token,
    id_token: native.id_token,
    client_info: clientInfo && Buffer.from(JSON.stringify(clientInfo))
      .toString('base64url'),
  };
}
