/** A package registry that has nothing, and remembers what it was asked for. */
export class EmptyRegistry implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server = Bun.serve({
    port: 0,
    fetch: (request) => {
      this.asked.push(request.url);
      return new Response("{}", { status: 404 });
    },
  });

  /** For BUN_CONFIG_REGISTRY. */
  get url(): string {
    return this.#server.url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
