import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'

import { FormError } from '../account/FormError'
import { Button } from '../ui/Button'
import { Dialog } from '../ui/Dialog'
import { Field } from '../ui/Field'
import { t } from './texts'

interface Props<T> {
  /** The button that opens the dialog. */
  label: ReactNode
  title: string
  /** What will happen. */
  text: ReactNode
  /** What the button that does it is called. */
  verb: string
  /** It can be undone, or takes nothing away. */
  mild?: boolean
  /** A text that must be typed first. */
  phrase?: { label: string; value: string }
  run: () => Promise<T>
  /** What is asked for again then. */
  keys?: readonly QueryKey[]
  done?: (answer: T) => void
}

/** A button whose act is asked about first. */
export function Ask<T>(props: Props<T>) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button onClick={() => setOpen(true)}>{props.label}</Button>
      {open && <Question {...props} close={() => setOpen(false)} />}
    </>
  )
}

const NONE: readonly QueryKey[] = []

function Question<T>({ title, text, verb, mild = false, phrase, run, keys = NONE, done, close }: Props<T> & { close: () => void }) {
  const queries = useQueryClient()
  const [typed, setTyped] = useState('')
  const act = useMutation({
    mutationFn: run,
    onSuccess: async (answer) => {
      close()
      await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })))
      done?.(answer)
    },
  })
  return (
    <Dialog title={title} onClose={close}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          act.mutate()
        }}
        className="grid gap-4"
      >
        <div className="grid gap-2 text-muted wrap-anywhere">{text}</div>
        {phrase && (
          <Field label={phrase.label} autoComplete="off" spellCheck={false} value={typed} onChange={(e) => setTyped(e.target.value)} />
        )}
        <FormError error={act.error} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button className="h-10!" onClick={close} autoFocus={!phrase}>
            {t.cancel}
          </Button>
          <Button type="submit" look={mild ? 'solid' : 'danger'} disabled={act.isPending || (phrase && typed !== phrase.value)}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
