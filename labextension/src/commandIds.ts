/** The commands of greennb, by name. */
export const CommandIDs = {
  showPanel: 'greennb:show-panel',
  toggleBadges: 'greennb:toggle-badges',
  setBudget: 'greennb:set-budget',
  jumpToCell: 'greennb:jump-to-cell',
  jumpToNext: 'greennb:jump-to-next',
  exportJson: 'greennb:export-json',
  exportCsv: 'greennb:export-csv',
  load: 'greennb:load-greennb',
  measureCells: 'greennb:measure-cells',
  openSettings: 'greennb:open-settings'
} as const;
