// What `seqdemo/ui/shared/component.py` puts before each script.
declare const PYTHON: { signed: Record<string, string[]>, signed_names: string[], unsure: number[], not_there: string }
