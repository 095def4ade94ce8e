import { expect, test } from "bun:test";
import { certificateFor } from "../../../../src/worker/tls/server-names.ts";

const certificates = [
  { serverNames: ["example.org", "www.example.org"] },
  { serverNames: ["*.example.org"] },
  { serverNames: ["api.example.org", "*.api.example.org"] },
  { serverNames: [] },
];

test.each<[asked: string, index: number]>([
  ["example.org", 0],
  ["www.example.org", 0],
  ["WWW.Example.ORG", 0],
  ["mail.example.org", 1],
  // The very name comes before the wildcard, though that stands first.
  ["api.example.org", 2],
  ["v1.api.example.org", 2],
  // A wildcard is for one label.
  ["a.b.example.org", 0],
  ["example.com", 0],
  ["localhost", 0],
  [".example.org", 0],
  ["*.example.org", 1],
  ["", 0],
])("certificateFor(%p) is number %p", (asked, index) => {
  expect(certificateFor(certificates, asked)).toBe(index);
});
