export const didHost = 'bench.tillit.example'
