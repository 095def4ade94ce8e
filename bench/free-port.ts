/** TCP ports for programs that can't say which one the kernel gave them. */

/** Below the ports that the kernel gives to whoever asks for none (ip_local_port_range): nobody else gets it meanwhile. */
const lowest = 10_000;
const highest = 32_767;

/** A port that is free now, and is taken by those alone who name it. */
export function freePort(hostname = "127.0.0.1"): number {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    try {
      Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
}
