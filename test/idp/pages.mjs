// SPDX-License-Identifier: ISC
// The HTML pages a person sees. Plain forms; no script.

const CSS = `
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:#eef1f5;color:#1b1b1b;
 font:16px/1.5 "Segoe UI",system-ui,"DejaVu Sans",sans-serif;
 display:flex;flex-direction:column;align-items:center;padding:6vh 1rem}
main{background:#fff;width:100%;max-width:440px;padding:2.5rem;
 box-shadow:0 2px 6px rgba(0,0,0,.2)}
.brand{color:#666;font-weight:600;margin:0 0 1rem}
h1{font-size:1.5rem;line-height:1.25;font-weight:600;margin:0 0 1rem}
p{margin:0 0 1rem}
input[type=text]{width:100%;font:inherit;padding:.4rem 0;border:0;
 border-bottom:1px solid #666;margin:0 0 1.5rem;outline-offset:4px}
input.code{letter-spacing:.15em;text-transform:uppercase}
.row{display:flex;gap:.5rem;justify-content:flex-end}
.row button{min-width:108px;font:inherit;padding:.3rem .8rem;border:0;
 background:#e1e3e6;cursor:pointer}
.row button.main{background:#0b63b5;color:#fff}
ul{list-style:none;margin:0 0 1.5rem;padding:0;border-top:1px solid #ddd}
li{border-bottom:1px solid #ddd}
li button{display:block;width:100%;text-align:left;font:inherit;border:0;
 background:none;padding:.6rem .4rem;cursor:pointer}
li button:hover,li button:focus{background:#eef1f5}
li span{display:block;color:#555;font-size:.85rem}
.error{color:#a80000}
code{font-size:1.1em;overflow-wrap:anywhere}
footer{margin-top:1.5rem;color:#555;font-size:.85rem;text-align:center}`;

const SAFE = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;',
  "'": '&#39;' };
const html = (text) => String(text).replace(/[&<>"']/g, (c) => SAFE[c]);

function page(title, body) {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<p class="brand">Test sign-in</p>
<h1>${html(title)}</h1>
${body}
</main>
<footer>A provider for aadssh's tests. It is not Microsoft and asks for no
password.</footer>
</body>
</html>
`;
}

/** Form for the code of the device. ERROR, if any, stands above it. */
export function codePage(action, xsrf, error) {
  return page('Enter code to allow access', `
${error ? `<p class="error" id="error">${html(error)}</p>` : ''}
<p>Enter the code displayed on your app or device.</p>
<form method="post" action="${html(action)}">
<input type="hidden" name="xsrf" value="${html(xsrf)}">
<input type="hidden" name="confirm" value="yes">
<input type="text" class="code" name="user_code" aria-label="Code"
 autocomplete="off" autofocus>
<div class="row"><button class="main" type="submit">Next</button></div>
</form>`);
}

/** Accounts to pick from, USERS as [{name, title, note}], and a field. */
export function pickPage(action, app, users, error) {
  const item = ({ name, title, note }) => `<li><button type="submit"
 name="user" value="${html(name)}">${html(title)}
<span>${html(name)}${note ? ` &middot; ${html(note)}` : ''}</span>
</button></li>`;

  return page('Pick an account', `
<p>You're signing in to <strong>${html(app)}</strong>.</p>
${error ? `<p class="error" id="error">${html(error)}</p>` : ''}
<form method="post" action="${html(action)}">
<ul>
${users.map(item).join('\n')}
</ul>
</form>
<form method="post" action="${html(action)}" id="other">
<input type="text" name="user" aria-label="Use another account"
 placeholder="Use another account" autocomplete="off">
<div class="row"><button class="main" type="submit">Next</button></div>
</form>`);
}

/** The question that a phished person has to answer with no. */
export function confirmPage(action, app, host, user) {
  return page(`Are you trying to sign in to ${app} on ${host}?`, `
<p>Signed in as <code>${html(user)}</code>.</p>
<p>Only continue if you started this sign-in yourself, on
<strong>${html(host)}</strong>.</p>
<form method="post" action="${html(action)}">
<div class="row">
<button type="submit" name="answer" value="cancel">Cancel</button>
<button class="main" type="submit" name="answer"
 value="continue">Continue</button>
</div>
</form>`);
}

/** The end of a sign-in. */
export function donePage(app, host) {
  return page(`You have signed in to ${app} on ${host}`, `
<p id="done">You may now close this window.</p>`);
}

/** A refusal or a mistake. */
export function errorPage(title, text) {
  return page(title, `<p class="error" id="error">${html(text)}</p>`);
}
