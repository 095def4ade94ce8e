/** The requests for apps that have paths of their own: GraphQL, RPC, pages. */
import {
  boundary,
  fileBytes,
  has,
  hasStatus,
  isOk,
  json,
  part,
  type Row,
  row,
} from "./requests.ts";

/** A request to what is called by POST with JSON. */
function call(name: string, isAnswer: Row["isAnswer"], path: string, value: unknown): Row {
  return row(name, isAnswer, { method: "POST", path, headers: json, body: JSON.stringify(value) });
}

const preflight = {
  Origin: "http://other.example",
  "Access-Control-Request-Method": "POST",
  "Access-Control-Request-Headers": "content-type",
};

const graphql = (name: string, isAnswer: Row["isAnswer"], value: unknown) =>
  call(name, isAnswer, "/graphql", value);

const end = Buffer.from(`--${boundary}--\r\n`);

/** https://github.com/jaydenseric/graphql-multipart-request-spec */
const graphqlUpload = Buffer.concat([
  part(
    'name="operations"',
    JSON.stringify({
      query: "mutation ($file: File!) { upload(file: $file) }",
      variables: { file: null },
    }),
  ),
  part('name="map"', '{"0":["variables.file"]}'),
  part('name="0"; filename="a.bin"', fileBytes, "application/octet-stream"),
  end,
]);

export const graphqlRows: readonly Row[] = [
  row("query by GET", has("two words"), {
    path: `/graphql?query=${encodeURIComponent('{ echo(text: "two words") }')}`,
    headers: { Accept: "application/json" },
  }),
  graphql("query", has("5242880"), { query: "{ large }" }),
  graphql("variables", has("\u00c3\u00bc"), {
    query: "query ($text: String!) { echo(text: $text) }",
    variables: { text: "\u00fc" },
  }),
  graphql("mutation", has("3"), { query: "mutation { add(a: 1, b: 2) }" }),
  graphql("syntax error", has("errors"), { query: "{ large" }),
  graphql("thrown error", has("errors"), { query: "{ throws }" }),
  row("JSON that is none", hasStatus(/^4/), {
    method: "POST",
    path: "/graphql",
    headers: json,
    body: "{",
  }),
  row("file of a form", has("3000"), {
    method: "POST",
    path: "/graphql",
    headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` },
    body: graphqlUpload,
  }),
  row("subscription by SSE", has("three"), {
    path: `/graphql?query=${encodeURIComponent("subscription { words }")}`,
    headers: { Accept: "text/event-stream" },
  }),
  row("GraphiQL", has("<!doctype html>"), { path: "/graphql", headers: { Accept: "text/html" } }),
  row("OPTIONS", hasStatus(/^204/), { method: "OPTIONS", path: "/graphql", headers: preflight }),
  row("404", hasStatus(/^404/), { path: "/missing" }),
];

const input = (value: unknown) => encodeURIComponent(JSON.stringify(value));

export const trpcRows: readonly Row[] = [
  row("query", has("two words"), { path: `/trpc/echo?input=${input("two words")}` }),
  row("batch", has("three"), {
    path: `/trpc/echo,echo?batch=1&input=${input({ 0: "two", 1: "three" })}`,
  }),
  row("two cookies", ({ fields }) => fields["set-cookie"]?.length === 2, {
    path: `/trpc/echo?input=${input("x")}`,
  }),
  row("client address", has("127.0.0.1"), { path: `/trpc/echo?input=${input("x")}` }),
  call("mutation", has("3"), "/trpc/add", { a: 1, b: 2 }),
  row("input that is none", hasStatus(/^[45]/), { path: "/trpc/echo" }),
  row("thrown error", hasStatus(/^403/), { path: "/trpc/forbidden" }),
  row("procedure that isn't there", hasStatus(/^404/), { path: "/trpc/missing" }),
  row("subscription by SSE", has("three"), { path: "/trpc/words" }),
  call("method that is wrong", hasStatus(/^405/), "/trpc/echo", "x"),
  row("HEAD", hasStatus(/^[24]/), { method: "HEAD", path: `/trpc/echo?input=${input("x")}` }),
  row("OPTIONS", hasStatus(/^[24]/), { method: "OPTIONS", path: "/trpc/echo", headers: preflight }),
];

export const orpcRows: readonly Row[] = [
  call("call", has("two words"), "/rpc/echo", { json: { text: "two words" } }),
  row("call by GET", hasStatus(/^405/), {
    path: `/rpc/echo?data=${input({ json: "two words" })}`,
  }),
  call("client address", has("127.0.0.1"), "/rpc/echo", {}),
  row("file up", has("a.bin"), {
    method: "POST",
    path: "/rpc/upload",
    headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([
      part('name="data"', '{"json":{},"meta":[],"maps":[[]]}'),
      part('name="0"; filename="a.bin"', fileBytes, "application/octet-stream"),
      end,
    ]),
  }),
  call("refused", hasStatus(/^403/), "/rpc/forbidden", {}),
  call("thrown error", hasStatus(/^500/), "/rpc/throws", {}),
  call("events", has("three"), "/rpc/words", {}),
  row("OPTIONS", hasStatus(/^204/), { method: "OPTIONS", path: "/rpc/echo", headers: preflight }),
  row("404", hasStatus(/^404/), { path: "/missing" }),
];

export const pageRows: readonly Row[] = [
  row("page", has("late"), { path: "/page?name=%3Cworld%3E" }),
  row("HEAD of a page", isOk, { method: "HEAD", path: "/page" }),
];

/** Of files that are there in compressed forms too. */
export const compressedRows: readonly Row[] = ["gzip", "br"].map((coding) =>
  row(`file in ${coding}`, ({ fields }) => fields["content-encoding"]?.[0] === coding, {
    path: "/file.txt",
    headers: { "Accept-Encoding": coding },
  }),
);
