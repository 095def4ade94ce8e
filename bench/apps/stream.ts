/** 16 chunks of 4 KiB, each when it is asked for. */
const chunk = Buffer.alloc(4096, "x");

export function fetch(): Response {
  let left = 16;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(chunk);
      left -= 1;
      if (left === 0) controller.close();
    },
  });
  return new Response(body);
}
