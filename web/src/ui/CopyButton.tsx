import { useState } from 'react'

import { m } from '../messages'
import { Button } from './Button'
import { Icon } from './Icon'

/** Copies a text; says so. Nothing where the browser does not let pages copy. */
export function CopyButton({ text, label = m.copy }: { text: string; label?: string }) {
  const [copied, setCopied] = useState<string>()
  if (!navigator.clipboard) return null
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(text)
  }
  const done = copied === text
  return (
    <Button onClick={() => void copy()}>
      <Icon name={done ? 'check' : 'copy'} />
      <span aria-live="polite">{done ? m.copied : label}</span>
    </Button>
  )
}
