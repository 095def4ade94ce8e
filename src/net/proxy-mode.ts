/** Gunicorn's proxy_protocol: which PROXY header connections begin with; `auto`: of either version. */
export type ProxyMode = "off" | "v1" | "v2" | "auto";
