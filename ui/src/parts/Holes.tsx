// A pattern of lines, with its holes told from its words.

/** `<num>` and the like stand for what varies. */
export function Holes({ text }: { text: string }) {
  return (
    <>
      {text.split(/(<(?:str|url|email|uuid|time|ip|hex|num)>)/).map((piece, index) =>
        index % 2 === 1 ? (
          <span class="hole" key={index}>
            {piece}
          </span>
        ) : (
          piece
        ),
      )}
    </>
  );
}
