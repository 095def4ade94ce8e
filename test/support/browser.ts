/** A headless Chromium, driven by the DevTools protocol: pages, what they show, and what their consoles and networks say. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolPath } from "./peers.ts";
import { until } from "./server.ts";

type Values = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Values;
  readonly result?: Values;
  readonly error?: { readonly message: string };
}

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** No GPU, no network of its own, and no sandbox: that needs root or user namespaces, and the pages are ours. */
const flags = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--no-first-run",
  "--no-proxy-server",
  // A name of strangers that leads here, as by DNS rebinding.
  "--host-resolver-rules=MAP evil.example 127.0.0.1",
  "--remote-debugging-port=0",
];

export class Browser implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-browser-"));
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #answers = new Map<number, PromiseWithResolvers<Values>>();
  readonly #pages = new Map<string, BrowserPage>();
  #socket: WebSocket | null = null;
  #ids = 0;
  #said = "";

  private constructor() {
    const words = [...flags, `--user-data-dir=${this.#folder}`, "about:blank"];
    this.#process = Bun.spawn([toolPath("chromium") as string, ...words], {
      // Else it looks for a session bus, and writes to the home folder.
      env: { PATH: process.env["PATH"], HOME: this.#folder, XDG_RUNTIME_DIR: this.#folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  static async start(): Promise<Browser> {
    const browser = new Browser();
    void browser.#listen();
    const url = await until("the browser", () => {
      if (browser.#process.exitCode !== null)
        throw new Error(`the browser ended:\n${browser.#said}`);
      return /DevTools listening on (ws:\S+)/.exec(browser.#said)?.[1];
    });
    const socket = new WebSocket(url);
    browser.#socket = socket;
    socket.addEventListener("message", ({ data }) => browser.#receive(String(data)));
    await until("the protocol", () => socket.readyState === WebSocket.OPEN);
    return browser;
  }

  /** Opens a page, and waits until it has loaded. */
  async open(url: string, view: View = {}): Promise<BrowserPage> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new BrowserPage(this, String(sessionId));
    this.#pages.set(String(sessionId), page);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.look(view);
    await page.load(() => page.send("Page.navigate", { url }));
    // The empty page before may have been told late.
    const there = "location.href !== 'about:blank' && document.readyState === 'complete'";
    await until("its document", () => page.evaluate<boolean>(there).catch(() => false));
    return page;
  }

  send(method: string, params: Values = {}, sessionId?: string): Promise<Values> {
    const id = (this.#ids += 1);
    const answer = Promise.withResolvers<Values>();
    this.#answers.set(id, answer);
    this.#socket?.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    return answer.promise;
  }

  #receive(text: string): void {
    const { id, method, params, sessionId, result, error } = JSON.parse(text) as Message;
    if (id === undefined) return this.#pages.get(sessionId ?? "")?.hear(method ?? "", params ?? {});
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result ?? {});
    else answer?.reject(new Error(error.message));
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#process.stderr) this.#said += decoder.decode(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It ends its own children, and a killed one couldn't.
    await Promise.race([this.send("Browser.close"), this.#process.exited]).catch(() => {});
    await Promise.race([this.#process.exited, Bun.sleep(10_000)]);
    this.#socket?.close();
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

export class BrowserPage {
  /** What the console has said of errors, uncaught exceptions included. */
  readonly errors: string[] = [];
  /** The addresses of all that was asked for. */
  readonly asked: string[] = [];
  readonly #browser: Browser;
  readonly #session: string;
  #loads = 0;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: Values = {}): Promise<Values> {
    return this.#browser.send(method, params, this.#session);
  }

  /** Does what makes it load, and waits until it has. */
  async load(action: () => Promise<unknown>): Promise<void> {
    const before = this.#loads;
    await action();
    await until("the page", () => this.#loads > before);
  }

  async look({ width = 1280, height = 800, dark = false }: View): Promise<void> {
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", size);
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** The value of an expression, which may be a promise, in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { readonly value: T }).value;
  }

  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(String(data), "base64");
  }

  /** Tells the page of an event of the protocol. */
  hear(method: string, params: Values): void {
    if (method === "Page.loadEventFired") this.#loads += 1;
    if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params));
    if (method === "Runtime.consoleAPICalled" && params["type"] === "error")
      this.errors.push(JSON.stringify(params["args"]));
    if (method === "Log.entryAdded") {
      const { level, text, url } = params["entry"] as Readonly<Record<string, string>>;
      if (level === "error") this.errors.push(`${text} ${url}`);
    }
    if (method === "Network.requestWillBeSent")
      this.asked.push((params["request"] as { readonly url: string }).url);
  }
}
