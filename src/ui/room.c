/* The first file of the ui room lands with its first contract. */
extern int ui_room_is_empty;
int ui_room_is_empty;
