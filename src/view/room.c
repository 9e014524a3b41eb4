/* The first file of the view room lands with its first contract. */
extern int view_room_is_empty;
int view_room_is_empty;
