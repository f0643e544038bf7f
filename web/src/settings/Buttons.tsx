import { Button } from '../ui/Button'
import { t } from './texts'

/** The button that sends a form, and what became of it. */
export function Send({ label = t.save, pending, done, said = t.saved }: { label?: string; pending: boolean; done?: boolean; said?: string }) {
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button type="submit" look="solid" disabled={pending}>
        {label}
      </Button>
      <span role="status" className="text-sm text-good">
        {done && !pending ? said : ''}
      </span>
    </div>
  )
}

/** The buttons of a form that can be given up. */
export function Verbs({ verb, pending, cancel, danger = false }: { verb: string; pending: boolean; cancel?: (() => void) | undefined; danger?: boolean }) {
  return (
    <div className="flex flex-wrap gap-2">
      <Button type="submit" look={danger ? 'danger' : 'solid'} disabled={pending}>
        {verb}
      </Button>
      {cancel && (
        <Button className="h-10!" onClick={cancel}>
          {t.cancel}
        </Button>
      )}
    </div>
  )
}
