// Asking our own server; nothing else is ever asked. A refusal comes back as an error with its status and its words.

const token = document.querySelector('meta[name="csrf-token"]').content;

export class Refused extends Error {
  constructor(status, said) {
    super(said.detail || `the server answered ${status}`);
    this.status = status;
    this.said = said;
  }
}

async function answer(response) {
  if (response.redirected && new URL(response.url).pathname.startsWith("/login")) {
    throw new Refused(401, { detail: "your session has ended: log in again in another window, then save" });
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Refused(response.status, said);
}

export async function askJson(url) {
  return (await answer(await fetch(url, { headers: { accept: "application/json" } }))).json();
}

export async function askBytes(url) {
  return (await answer(await fetch(url))).arrayBuffer();
}

export async function send(method, url, content) {
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": token };
  return (await answer(await fetch(url, { method, headers, body: JSON.stringify(content) }))).json();
}

export async function packed(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const small = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let i = 0; i < small.length; i += 0x8000) text += String.fromCharCode(...small.subarray(i, i + 0x8000));
  return btoa(text);
}
