// The apps of bench/apps for `deno serve`; BENCH_APP is which, BENCH_FILE the file.
const { BENCH_APP: app, BENCH_FILE: path } = Deno.env.toObject();
const rows = Array.from({ length: 10 }, (_, id) => ({ id, name: `Item ${id}`, price: id * 1.5 }));
const chunk = new Uint8Array(4096).fill(120);

const apps = {
  hello: () => new Response("Hello, World!\n"),
  json: () => Response.json({ message: "Hello, World!", rows }),
  stream: () => {
    let left = 16;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(chunk);
        left -= 1;
        if (left === 0) controller.close();
      },
    });
    return new Response(body);
  },
  file: async () => {
    const file = await Deno.open(path);
    const { size } = await file.stat();
    return new Response(file.readable, { headers: { "content-length": String(size) } });
  },
};

const run = apps[app];

export default { fetch: () => run() };
