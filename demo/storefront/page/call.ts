export class Refused extends Error {
  override name = 'Refused';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function call<T>(method: string, at: string, body?: unknown): Promise<T> {
  const response = await fetch(at, { method, headers: { 'content-type': 'application/json' }, body: body === undefined ? null : JSON.stringify(body) });
  const answer = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined;
  if (!response.ok) throw new Refused(response.status, answer?.error ?? `${method} ${at} answered ${response.status}`);
  return answer;
}
