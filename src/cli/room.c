/* The first file of the cli room lands with its first contract. */
extern int cli_room_is_empty;
int cli_room_is_empty;
