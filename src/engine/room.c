/* The first file of the engine room lands with its first contract. */
extern int engine_room_is_empty;
int engine_room_is_empty;
