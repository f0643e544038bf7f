import { useMemo } from 'react'
import { encode } from 'uqr'

/** Modules of white that a reader needs around the code. */
const QUIET = 4

/** A QR code, dark on white in both themes: some readers take no other. */
export default function QrCode({ text, label }: { text: string; label: string }) {
  const { size, dark } = useMemo(() => {
    const code = encode(text, { border: QUIET, ecc: 'M' })
    const rows = code.data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')))
    return { size: code.size, dark: rows.join('') }
  }, [text])
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges" className="size-48 shrink-0 rounded-lg border border-line">
      <path fill="#fff" d={`M0 0h${size}v${size}H0z`} />
      <path fill="#000" d={dark} />
    </svg>
  )
}
