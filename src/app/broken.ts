import { htmlPage } from "../http/page.ts";
import type { App } from "./shape.ts";

/** Answers every request with what kept the app from being loaded: for development, where the reader wrote it. */
export function brokenApp(text: string): App {
  const page = htmlPage(
    "Internal Server Error",
    `<p>The app can't be loaded. It is tried again when a file changes.</p>
    <pre>${Bun.escapeHTML(text)}</pre>`,
  );
  const headers = { "content-type": "text/html;charset=utf-8", "cache-control": "no-store" };
  return {
    fetch: () => new Response(page, { status: 500, headers }),
    error: null,
    routes: null,
    websocket: null,
    options: null,
    nodeUpgrades: null,
    captured: false,
    describe: "broken app",
  };
}
