/** `Firefox on Linux` of a User-Agent header; the first word of what is no browser. */
export function agentWords(agent: string | undefined): string {
  if (!agent) return 'not known';
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrom(e|ium)\//.test(agent)
        ? 'Chromium'
        : /Safari\//.test(agent)
          ? 'Safari'
          : undefined;
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS X/.test(agent)
          ? 'macOS'
          : /Linux/.test(agent)
            ? 'Linux'
            : undefined;
  if (!browser) return agent.split(/[ /]/)[0] || agent;
  return system ? `${browser} on ${system}` : browser;
}
