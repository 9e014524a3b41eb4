/* The first file of the store room lands with its first contract. */
extern int store_room_is_empty;
int store_room_is_empty;
