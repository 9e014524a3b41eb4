/* The first file of the net room lands with its first contract. */
extern int net_room_is_empty;
int net_room_is_empty;
