import { signal } from '@preact/signals';
import { ApiError, getJson, me } from '../api/client.ts';
import type { Me } from '../api/types.ts';

/** Why nobody knows yet who is signed in. */
export const sessionError = signal<ApiError | undefined>(undefined);

export async function loadMe(): Promise<void> {
  try {
    me.value = await getJson<Me>('/api/v1/me');
    sessionError.value = undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) me.value = null;
    else sessionError.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
  }
}

/** May who is signed in do this? The server decides; the pages offer only what it would allow. */
export const may = (scope: string): boolean => me.value?.scopes?.includes(scope) ?? false;
