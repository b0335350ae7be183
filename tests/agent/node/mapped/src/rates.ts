export type Rate = { name: string; percent: number };

export function rate(region: Rate): number {
  const factor = 1 + region.percent / 100;
  return factor;
}
