/** A browser's request with ten fields. */
export const head = Buffer.from(
  [
    "GET /path/to/page?x=1&y=2 HTTP/1.1",
    "Host: www.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Connection: keep-alive",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Cache-Control: max-age=0",
    "",
    "",
  ].join("\r\n"),
);

export const url = "http://www.example.com/path/to/page?x=1&y=2";

export const fieldPairs: [name: string, value: string][] = head
  .toString("latin1")
  .split("\r\n")
  .slice(1, -2)
  .map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
