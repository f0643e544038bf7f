import type { ComponentProps } from 'react'

import { Icon, type IconName } from './Icon'

const looks = {
  solid: 'bg-accent text-on-accent hover:brightness-110 px-4 h-10 font-semibold',
  quiet: 'bg-sunken text-ink hover:bg-soft px-3 h-8 text-sm font-medium',
  danger: 'bg-bad text-on-bad hover:brightness-110 px-4 h-10 font-semibold',
}

type Look = keyof typeof looks

const shape = (look: Look, className: string) =>
  `inline-flex items-center justify-center gap-1.5 rounded-lg transition disabled:opacity-60 ${looks[look]} ${className}`

export function Button({ look = 'quiet', className = '', ...rest }: ComponentProps<'button'> & { look?: Look }) {
  return <button type="button" className={shape(look, className)} {...rest} />
}

/** A link that looks like a button. */
export function LinkButton({ look = 'quiet', className = '', children, ...rest }: ComponentProps<'a'> & { look?: Look }) {
  return (
    <a className={shape(look, className)} {...rest}>
      {children}
    </a>
  )
}

const iconLook = (className: string) =>
  `grid size-9 place-items-center rounded-lg text-muted transition hover:bg-sunken hover:text-ink ${className}`

/** A link that shows an icon only. */
export function IconLink({ icon, label, className = '', ...rest }: ComponentProps<'a'> & { icon: IconName; label: string }) {
  return (
    <a aria-label={label} title={label} className={iconLook(className)} {...rest}>
      <Icon name={icon} className="size-5" />
    </a>
  )
}

/** A button that shows an icon only; its label is read out and shown on hover. */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: ComponentProps<'button'> & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={iconLook(className)}
      {...rest}
    >
      <Icon name={icon} className="size-5" />
    </button>
  )
}
