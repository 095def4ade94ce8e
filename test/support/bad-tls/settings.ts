/** Settings that TLS can't be served with. */
import type { BadTls, Stock } from "./bad-tls.ts";
import type { Made } from "../certificates.ts";

export function badClients({
  pair,
  root,
  other,
  oldMiddle,
  absent,
  empty,
  cutChain,
}: Stock): BadTls[] {
  return [
    {
      name: "cert_reqs without ca_certs",
      settings: { ...pair, certReqs: 2 },
      says: "certReqs: is 2 and needs ca_certs, which isn't set: nobody could get in",
    },
    {
      name: "ca_certs without cert_reqs",
      settings: { ...pair, caCerts: root.certfile },
      says: "caCerts: does nothing without cert_reqs 1 or 2, got 0",
    },
    {
      name: "cert_reqs out of its range",
      settings: { ...pair, certReqs: 3, caCerts: root.certfile },
      says: "certReqs: must be from 0 to 2, got 3",
    },
    {
      name: "ca_certs that isn't there",
      settings: { ...pair, certReqs: 1, caCerts: absent },
      says: `caCerts: ${absent}: doesn't exist`,
    },
    {
      name: "ca_certs that is empty",
      settings: { ...pair, certReqs: 1, caCerts: empty },
      says: `caCerts: ${empty}: holds no certificate, it is empty`,
    },
    {
      name: "ca_certs cut off",
      settings: { ...pair, certReqs: 1, caCerts: cutChain },
      says: `caCerts: ${cutChain}: is cut off: a block of PEM has no end`,
    },
    {
      name: "ca_certs of no CA",
      settings: { ...pair, certReqs: 2, caCerts: other.certfile },
      says: `caCerts: ${other.certfile}: certificate 1 (CN=other.test) is of no CA`,
    },
    {
      name: "ca_certs that have all expired",
      settings: { ...pair, certReqs: 2, caCerts: oldMiddle.certfile },
      says: `caCerts: ${oldMiddle.certfile}: certificate 1 (CN=Old) has expired at `,
    },
  ];
}

export function badNames({ made, pair, good }: Stock): BadTls[] {
  const [www, api] = [made.make({ name: "www.test" }), made.make({ name: "www.test" })];
  const bare = made.make({ name: "ip", names: ["IP:127.0.0.1"] });
  const nameless = made.make({ extensions: ["subjectAltName = IP:127.0.0.1"] });
  const entry = ({ certfile, keyfile }: Made, servername?: unknown) => {
    return { certfile, keyfile, servername };
  };
  return [
    {
      name: "a name that the certificate doesn't have",
      settings: { ...pair, tls: [entry(www, "shop.test")] },
      says: "tls[0].servername: must be a name of its certificate, got 'shop.test', and it has www.test",
    },
    {
      name: "a name below another label",
      settings: { ...pair, tls: [{ ...pair, servername: "a.b.example.org" }] },
      says: "tls[0].servername: must be a name of its certificate, got 'a.b.example.org', and it has localhost, *.example.org",
    },
    {
      name: "an address for a name",
      settings: { ...pair, tls: [entry(bare, "127.0.0.1")] },
      says: "tls[0].servername: must be a hostname such as www.example.org or *.example.org, got '127.0.0.1'",
    },
    {
      name: "a name with a port",
      settings: { ...pair, tls: [entry(www, "www.test:443")] },
      says: "tls[0].servername: must be a hostname such as www.example.org or *.example.org, got 'www.test:443'",
    },
    {
      name: "a name of two entries",
      settings: { ...pair, tls: [entry(www, "www.test"), entry(api, ["WWW.test"])] },
      says: "tls[1].servername: www.test must be the name of one certificate, got it twice: tls[0] has it too",
    },
    {
      name: "a name of two certificates",
      settings: { tls: [entry(www), entry(api)] },
      says: "tls[1].servername: www.test must be the name of one certificate, got it twice: tls[0] has it too",
    },
    {
      name: "an entry without a name",
      settings: { ...pair, tls: [{ ...entry(bare), servername: "ip" }, entry(bare)] },
      says: "tls[1].servername: must be set, no name is left for this certificate: no client could ask for it",
    },
    {
      name: "an entry whose certificate has no name",
      settings: { ...pair, tls: [entry(nameless)] },
      says: "tls[0].certfile: must be for a name, got one without a DNS name in its subjectAltName: no client could ask for it",
    },
    {
      name: "a name for a certificate that has none",
      settings: { ...pair, tls: [entry(nameless, "www.test")] },
      says: "tls[0].servername: must be a name of its certificate, got 'www.test', and it has no DNS name in its subjectAltName",
    },
    {
      name: "an entry without certfile",
      settings: { tls: [{ keyfile: good.keyfile }] },
      says: "tls: [0].certfile: must be a text, got undefined",
    },
    {
      name: "an entry with a word that isn't known",
      settings: { tls: [{ ...pair, serverName: "localhost" }] },
      says: "tls: [0]: knows certfile, keyfile and servername, got serverName",
    },
    {
      name: "a wrong pair in an entry",
      settings: { ...pair, tls: [{ certfile: www.certfile, keyfile: api.keyfile }] },
      says: `tls[0].keyfile: ${api.keyfile}: must be the key of certificate 1 (CN=www.test) in tls[0].certfile: ${www.certfile}, got another one`,
    },
  ];
}

export function badSettings({ pair, other }: Stock): BadTls[] {
  return [
    {
      name: "https:// without a certificate",
      settings: { bind: "https://127.0.0.1:0" },
      says: "bind: https://127.0.0.1:0 needs certfile, which isn't set",
    },
    {
      name: "a certificate that no address uses",
      settings: { ...pair, bind: ["http://127.0.0.1:0"] },
      says: "certfile: is for no address, bind says http:// for all: http://127.0.0.1:0",
    },
    {
      name: "ciphers without a certificate",
      settings: { ciphers: "ECDHE+AESGCM" },
      says: "ciphers: needs certfile or tls, which aren't set",
    },
    {
      name: "ciphers that nobody knows",
      settings: { ...pair, ciphers: "nonsense" },
      says: "ciphers: must be a list that selects a cipher of Bun's, got 'nonsense'",
    },
    {
      name: "ciphers of TLS 1.3",
      settings: { ...pair, ciphers: "TLS_AES_128_GCM_SHA256" },
      says: "ciphers: must name a cipher of TLS 1.2, got 'TLS_AES_128_GCM_SHA256': those of TLS 1.3 are always on, and alone with ssl_version TLSv1_3",
    },
    {
      name: "ciphers where there is no TLS 1.2",
      settings: { ...pair, ciphers: "ECDHE+AESGCM", sslVersion: "TLSv1_3" },
      says: "ciphers: is for TLS 1.2, and ssl_version is TLSv1_3",
    },
    {
      name: "ciphers for another kind of key, and TLS 1.2 alone",
      settings: { ...pair, ciphers: "ECDHE+aRSA+AESGCM", sslVersion: "TLSv1_2" },
      says: `ciphers: none is for a key of kind ec, which certfile: ${pair.certfile} has, got 'ECDHE+aRSA+AESGCM': nobody could get in`,
    },
    {
      name: "an old version",
      settings: { ...pair, sslVersion: "TLSv1_1" },
      says: "sslVersion: must be TLS, TLSv1_2 or TLSv1_3, got 'TLSv1_1': Bun has nothing older than TLS 1.2",
    },
    {
      name: "a version that nobody knows",
      settings: { ...pair, sslVersion: "TLSv2" },
      says: "sslVersion: must be TLS, TLSv1_2 or TLSv1_3, got 'TLSv2'",
    },
    {
      name: "ragged ends that count",
      settings: { ...pair, suppressRaggedEofs: false },
      says: "suppressRaggedEofs: can't be off: Bun takes an end without TLS's close message for an end",
    },
    {
      name: "a hook that throws",
      settings: pair,
      hook: "settings.sslContext = () => { throw new Error('the vault is closed\\nand more') };",
      says: "sslContext: the vault is closed",
    },
    {
      name: "a hook that takes its time",
      settings: pair,
      hook: "settings.sslContext = async (config, factory) => factory();",
      says: "sslContext: must give its answer at once, got a promise",
    },
    {
      name: "a hook that rejects",
      settings: pair,
      hook: "settings.sslContext = async () => { throw new Error('late'); };",
      says: "sslContext: must give its answer at once, got a promise",
    },
    {
      name: "a hook with a word that isn't known",
      settings: pair,
      hook: "settings.sslContext = (config, factory) => ({ ...factory(), minimumVersion: 'TLSv1.3' });",
      says: "sslContext: must have only certificates, clientCertificates, ca, ciphers, minVersion, maxVersion, got minimumVersion",
    },
    {
      name: "a hook with a wrong pair",
      settings: pair,
      hook: `settings.sslContext = (config, factory) => { const given = factory(); return { ...given, certificates: [{ ...given.certificates[0], key: ${JSON.stringify(other.key)} }] }; };`,
      says: "sslContext: certificates[0].key: must be the key of certificate 1 (CN=localhost) in sslContext: certificates[0].chain, got another one",
    },
    {
      name: "a hook without a certificate",
      settings: {},
      hook: "settings.sslContext = (config, factory) => factory();",
      says: "sslContext: needs certfile or tls, which aren't set",
    },
  ];
}
