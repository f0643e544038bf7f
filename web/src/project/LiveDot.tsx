/** A dot that sends out ripples while something moves. Its colour is the text's. */
export function LiveDot({ moving }: { moving: boolean }) {
  return (
    <span className="relative inline-flex size-2.5" aria-hidden="true">
      {moving && <span className="absolute inset-0 animate-ripple rounded-full bg-current" />}
      <span className="relative size-2.5 rounded-full bg-current" />
    </span>
  )
}
