/** The same app without this server: by `bun FILE`. */

/** A process that says where it listens. */
export interface BareServer extends AsyncDisposable {
  readonly port: number;
}

/** Runs a file that listens on PORT of 127.0.0.1, and writes `port NUMBER` when it does. */
export async function bareServer(file: string): Promise<BareServer> {
  const child = Bun.spawn([process.execPath, file], { env: { PORT: "0" }, stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value).replace("port", ""));
  return { port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}
