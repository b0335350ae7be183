import { useEffect, useState } from 'preact/hooks';

const QUERY = '(max-width: 760px)';

/** Is the screen as narrow as the styles' one break? Follows it. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(QUERY).matches);
  useEffect(() => {
    const media = matchMedia(QUERY);
    const follow = () => setNarrow(media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  return narrow;
}
